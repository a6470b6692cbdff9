"""Who may do what: roles, passwords, keys, sessions and sign-in elsewhere; no web, no database."""
