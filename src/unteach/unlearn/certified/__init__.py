"""Methods whose noise earns a certificate, one a file."""
