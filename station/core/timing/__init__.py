"""From edges to crossings: the logic of a gate, backup timing (FIS system B), the UTC scale, readiness."""
