"""The pages of accounts: ways in, one's own account, and the admin's."""
