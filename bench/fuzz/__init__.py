"""`./dev bench fuzz`: every parser of what comes from outside, under a fuzzer."""
