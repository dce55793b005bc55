/* The fault that a run of wio_everything.h or fault_work.h goes through, and what its wires say
 * when a call has failed. Include common.h first. */
#ifndef TESTS_REPORTED_FAULTS_H
#define TESTS_REPORTED_FAULTS_H

static struct {
  long number; /* of the system call */
  long second; /* of another one that is trapped, 0: none */
  int error;
  int also;                   /* an errno that the fault may become on its way, 0: none */
  int (*explains)(int error); /* NULL, or whether what was injected explains this errno */
} fault __attribute__((unused));

static int injected; /* 0: nothing fails at the moment, so all must succeed */
static int failures; /* that were reported to the wires */

/* Around calls of the test's own, which have to succeed. */
static void (*own_calls)(int begin);

HELPER void own(int begin) {
  if (own_calls != NULL)
    own_calls(begin);
}

#define OWN_CALL(result, call) (own(1), (result) = (call), own(0))

/* A call has failed: that must be the fault, or what its victim causes for its partner by giving
 * up. */
HELPER void failed(void) {
  int error = errno;
  failures++;
  if (fault.explains != NULL && fault.explains(error))
    return;
  if (injected && (error == injected || (fault.also && error == fault.also) || error == EPIPE))
    return;
  fprintf(stderr, "%s in %s, injected was %d\n", strerror(error), wire_get_current()->name,
          injected);
  abort();
}

#endif
