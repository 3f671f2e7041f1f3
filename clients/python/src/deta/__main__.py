"""`python -m deta`: the command `deta`, where the script of that name is not on the path."""

from deta.cli.main import main

if __name__ == "__main__":
    main()
