"""Files, exports and tables into two checked relations."""
