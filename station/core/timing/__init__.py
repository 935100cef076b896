"""From edges to crossings: gate logic, backup timing (FIS system B), time scale, readiness."""
