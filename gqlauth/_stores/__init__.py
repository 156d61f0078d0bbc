"""Where tokens outlive a process, and are shared by many: encrypted, and never relied upon."""
