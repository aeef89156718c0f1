"""Files that an operator has uploaded and looks at, before they are tried out or loaded."""
