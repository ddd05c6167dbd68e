"""The words everybody shares: frozen dataclasses, enums, the error tree. Standard library only."""
