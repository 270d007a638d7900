"""The camera renderer: a town's scenery and its actors become colour, depth, tag and instance pictures on the CPU."""
