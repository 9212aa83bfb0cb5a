"""Backups of the store with its captures and recordings, made while the service runs, and how one is put back.

docs/backup.md tells what a backup holds and what it does not.
"""
