"""The long campaigns: thousands of faults, each with a count of what was lost. `./dev bench campaigns` runs all."""
