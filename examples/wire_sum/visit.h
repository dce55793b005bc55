/*
 * visit: what a wire does with one entry of the tree: reads the folder, or the file to its end.
 *
 * The code is as plain as in a program without wires; the wio_ calls let the other wires run while
 * the disk is busy. At any time a visit has one descriptor open.
 */
#ifndef WIRE_SUM_VISIT_H
#define WIRE_SUM_VISIT_H

/* A wire's entry point; `arg` is the struct entry, which is finished when this returns. */
void visit(void *arg);

/* What visit() needs of its wire's stack: the buffer and some room for the rest. */
#define VISIT_PIECE_SIZE (64 * 1024)
#define VISIT_STACK_SIZE (VISIT_PIECE_SIZE + 32 * 1024)

#endif
