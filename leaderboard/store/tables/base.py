"""What all files of tables share."""

import sqlalchemy as sa

METADATA = sa.MetaData()

# SQLite counts rows by itself only in a column that is exactly INTEGER.
COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
