"""Layered graphs and proof trees."""
