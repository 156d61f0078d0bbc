"""What makes gqlauth fit other libraries: one place a partner, each with an extra of its own."""
