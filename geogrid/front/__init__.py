"""The front of the service: a small process of its own that owns the socket and what is ready.

The application works out edits and tiles under one interpreter lock, so whoever only wants what is
at hand would wait for it. The front answers that from memory and passes everything else on::

    browsers -> guard -> lane (ready tiles) -> relay ==wire==> the application
                           ^ mirror  <==wire== what the public sees, tiles, what an edit touched

It imports no engine and no database, starts at once, and holds nothing but tiles, of which it gives
those of the version that the public sees.
"""
