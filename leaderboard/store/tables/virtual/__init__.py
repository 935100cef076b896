"""Tables of the virtual circuit: models, uploads, submissions, evaluations."""
