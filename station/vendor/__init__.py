"""The vendor's kit: checks whether an endpoint keeps the contract of docs/vendor.md, by posting to it."""
