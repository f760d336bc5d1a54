"""Tools that make rigs: run by people who build a face, never at run time."""
