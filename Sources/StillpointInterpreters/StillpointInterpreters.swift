// Placeholder of the floor.
