"""Chốt passes on the issuing side: keys, applications, and print-ready cards and posters."""
