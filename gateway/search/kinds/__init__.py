"""Kinds of search parameter: each file says how a kind is indexed and how a query value compares with a row."""
