"""The pages of docs/security/ that hold the product against a published standard, requirement by requirement."""
