"""What a link looks at in its broker's certificate, where OpenSSL alone would shut a machine out."""
