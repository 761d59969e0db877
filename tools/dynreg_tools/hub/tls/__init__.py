"""Contexts of the server's side, TLS-PSK, and the certificates' authorities."""
