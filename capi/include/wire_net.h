/* Stream sockets with a timeout: connect, read and write so that only the calling wire waits.
 *
 * A wire_net_t is a socket and a timeout that holds for all its calls together, from the moment
 * the caller sets it (`wire_timeout_reset(&net->tout, msec)`; 0 for none) until it is set anew.
 * Invariants: every read and write stores the number of bytes moved so far, also on error. The
 * socket's O_NONBLOCK flag does not matter and is not changed, except while wire_net_connect
 * runs. SIGPIPE is not raised for sockets (MSG_NOSIGNAL). One wire may read while another writes
 * only through two wire_net_t for the same socket. */
#ifndef WIRE_NET_H
#define WIRE_NET_H

#include <stddef.h>
#include <sys/types.h>

#include <sys/socket.h>

#include "wire_fd.h"
#include "wire_timeout.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A socket and its timeout. Programs read `fd_state.fd`, and use `tout` with the functions of
 * wire_timeout.h. */
typedef struct wire_net {
  wire_fd_state_t fd_state;
  wire_timeout_t tout;
} wire_net_t;

/**
 * Sets up a wire_net_t for a socket, without a timeout.
 *
 * @param net     the wire_net_t; valid until wire_net_close
 * @param sockfd  the socket; a negative one is reported by the calls that use it
 * @par Errors
 * Aborts when `net` is NULL.
 * @par Switches
 * No.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 */
void wire_net_init(wire_net_t *net, int sockfd);

/**
 * Resolves a host and a service name, and connects a TCP socket to the first of the addresses
 * that answers, in the order of getaddrinfo(3). Only the calling wire waits; without wire_io_init
 * the resolver stops the whole thread, for as long as its own limits let it. The total time is
 * shared over the addresses that remain. On success the timeout is stopped again; on error no
 * descriptor is left open.
 *
 * @param net           set up by the call; `net->fd_state.fd` is the socket. After an error
 *                      wire_net_close is not needed
 * @param hostname      host name or numeric address; NULL is this host, see getaddrinfo(3)
 * @param servicename   service name or port number
 * @param timeout_msec  milliseconds for all of it; 0 and less for no limit
 * @param sockaddr      where the address that was used is stored, or NULL
 * @param sockaddr_len  in: bytes at `sockaddr`; out: length of the address, or 0 when the space
 *                      was too small. May be NULL when `sockaddr` is
 * @return 0, or -1 with errno set.
 * @par Errors
 * EINVAL: `net` is NULL, both names are NULL, or `sockaddr` comes without `sockaddr_len`.
 * ETIMEDOUT: the time is over, while resolving or connecting. Otherwise, of the address tried
 * last, the errors of socket(2) and connect(2); or of the resolver: EAI_SYSTEM its errno,
 * EAI_MEMORY ENOMEM, EAI_AGAIN EAGAIN, EAI_NONAME and EAI_NODATA ENOENT, any other EINVAL. Aborts
 * outside a wire.
 * @par Switches
 * Yes.
 * @par Allocates
 * Yes: a descriptor, and during the call, or until a resolver that is too late returns, what
 * getaddrinfo(3) allocates and, with a limit, a thread.
 * @par Context
 * In a wire only; not in a signal handler.
 * @par Source
 * getaddrinfo(3), connect(2)
 */
int wire_net_init_tcp_connected(wire_net_t *net, const char *hostname, const char *servicename,
                                int timeout_msec, struct sockaddr *sockaddr,
                                socklen_t *sockaddr_len);

/**
 * Stops the timeout, ends the watch and closes the socket. errno is left alone, so a failed call
 * can be reported afterwards. A second call does nothing.
 *
 * @param net  the wire_net_t
 * @par Errors
 * Aborts when `net` is NULL. Errors of close(2) are not reported.
 * @par Switches
 * Yes, when close(2) may block.
 * @par Allocates
 * No.
 * @par Context
 * In a wire or outside; not in a signal handler.
 * @par Source
 * close(2)
 */
void wire_net_close(wire_net_t *net);

/**
 * Connects the socket. When it fails the socket stays open, for wire_net_close.
 *
 * @param net      the wire_net_t
 * @param addr     the address
 * @param addrlen  its length in bytes
 * @return 0 when the connection is made, or -1 with errno set.
 * @par Errors
 * EINVAL: `net` or `addr` is NULL, or the descriptor negative. ETIMEDOUT: `net->tout` expired, or
 * the system gave up. Otherwise the errors of connect(2). Aborts outside a wire when it would
 * have to wait.
 * @par Switches
 * Yes, unless the connection is made or refused at once.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 * @par Source
 * connect(2)
 */
int wire_net_connect(wire_net_t *net, const struct sockaddr *addr, socklen_t addrlen);

/**
 * Reads exactly `count` bytes.
 *
 * @param net    the wire_net_t
 * @param buf    where they go
 * @param count  how many, may be 0
 * @param prcvd  where the number of bytes read is stored, also on error
 * @return 0 when all are read, or -1 with errno set.
 * @par Errors
 * ENODATA: end of file before all were read. ETIMEDOUT: `net->tout` expired. EINVAL: a pointer is
 * NULL or the descriptor negative. Otherwise the errors of recv(2), but never EAGAIN or EINTR.
 * Aborts outside a wire when it would have to wait.
 * @par Switches
 * Yes, when not enough has arrived.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 * @par Source
 * recv(2)
 */
int wire_net_read_full(wire_net_t *net, void *buf, size_t count, size_t *prcvd);

/**
 * Reads what there is, at least one byte.
 *
 * @param net    the wire_net_t
 * @param buf    where the bytes go
 * @param count  how many at most; 0 reads nothing and returns 0
 * @param prcvd  where the number of bytes read is stored, also on error
 * @return 0 when at least one byte is read, or -1 with errno set.
 * @par Errors
 * As wire_net_read_full; ENODATA: end of file.
 * @par Switches
 * Yes, when nothing has arrived.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 * @par Source
 * recv(2)
 */
int wire_net_read_any(wire_net_t *net, void *buf, size_t count, size_t *prcvd);

/**
 * Reads at least `min_read` bytes, and more when they have arrived already.
 *
 * @param net       the wire_net_t
 * @param buf       where the bytes go
 * @param count     how many at most
 * @param prcvd     where the number of bytes read is stored, also on error
 * @param min_read  how many at least, not more than `count`; 0 takes what there is and does not
 *                  wait
 * @return 0 when at least `min_read` bytes are read, or -1 with errno set.
 * @par Errors
 * As wire_net_read_full; ENODATA: end of file before `min_read` bytes, or at once with 0. EINVAL:
 * also when `min_read` exceeds `count`.
 * @par Switches
 * Yes, when not enough has arrived.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 * @par Source
 * recv(2)
 */
int wire_net_read_min(wire_net_t *net, void *buf, size_t count, size_t *prcvd, size_t min_read);

/**
 * Writes all `count` bytes.
 *
 * @param net    the wire_net_t
 * @param buf    the bytes
 * @param count  how many, may be 0
 * @param psent  where the number of bytes written is stored, also on error
 * @return 0 when all are written, or -1 with errno set.
 * @par Errors
 * EPIPE: the peer is gone; there is no SIGPIPE. ETIMEDOUT: `net->tout` expired. EINVAL: a pointer
 * is NULL or the descriptor negative. Otherwise the errors of send(2), but never EAGAIN or EINTR.
 * Aborts outside a wire when it would have to wait.
 * @par Switches
 * Yes, when the socket's buffer is full.
 * @par Allocates
 * No.
 * @par Context
 * In a wire, or outside while it need not wait; not in a signal handler.
 * @par Source
 * send(2)
 */
int wire_net_write(wire_net_t *net, const void *buf, size_t count, size_t *psent);

#ifdef __cplusplus
}
#endif

#endif
