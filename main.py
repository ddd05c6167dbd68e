"""The command line's front door; the commands are in cli/."""

from cli import cli

if __name__ == "__main__":
    cli()
