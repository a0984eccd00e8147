"""What admins configure, by HTTP: everything under /v1/admin needs a key with the scope `admin`."""
