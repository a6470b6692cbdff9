"""Browser libraries that maps carry inside themselves, and the hook that fetches them at build."""
