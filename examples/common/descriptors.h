/*
 * descriptors: the limit on open descriptors.
 */
#ifndef EXAMPLES_DESCRIPTORS_H
#define EXAMPLES_DESCRIPTORS_H

/* Raises the limit until `wanted` descriptors may be open, or as far as it goes. Returns how many
 * may be then: `wanted` or less. */
unsigned long descriptors_allow(unsigned long wanted);

#endif
