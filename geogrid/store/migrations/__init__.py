"""Steps from one shape of the store's tables to the next, run by Alembic."""
