"""The API's part of evaluations: conditions and seeds of races, and the calls of farms."""
