"""Capture: a plan in, recorded exchanges out. The only package that opens a socket as a client."""
