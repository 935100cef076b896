"""The replay of a run of the virtual circuit, beside another one, on the drawn track."""
