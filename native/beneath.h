/* A part of a volume. Containers that have the volume may change it at any moment, so the kernel decides what is beneath. */
#pragma once

/*
 * Opens what `path`, which is relative, leads to: O_PATH. Links are followed as long as they do not leave `volume`
 * (EXDEV; those with a leading slash do). -1 with errno.
 */
int beneath_open(int volume, const char *path);
/* Makes the directories that are missing on the way to `path`, with the mode of `volume`, and opens the last one. */
int beneath_make(int volume, const char *path);
