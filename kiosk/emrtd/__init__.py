"""Reads electronic travel documents and identity cards (ICAO 9303) and says what their chips prove.

Pure: bytes go through a ``transmit`` callable; no reader, network or file is touched here.
"""
