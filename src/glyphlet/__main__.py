"""`python -m glyphlet` is the `glyphlet` command."""

from glyphlet.cli import main

if __name__ == "__main__":
    main()
