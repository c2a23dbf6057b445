"""One module for each outside library; the library is imported when it is used."""
