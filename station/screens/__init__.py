"""The screens of an event: the browsers that show it in the hall, and what each of them shows."""
