/* A server whose delay is known: each request is answered a fixed time after its last byte was read, each on its own.
 *
 *     delay_server SECONDS DELAY_US [OTHER_US PER_MILLE]
 *
 * Listens on a free port of 127.0.0.1, prints the port and the length of a response, and spins: it never sleeps, so
 * nothing wakes it late, and it has to have a core to itself. With OTHER_US, so many of 1,000 requests, drawn from a fixed seed, take that time
 * instead. A request ends with its first empty line, so it may have no body. Ends after SECONDS, or with its parent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, PENDING = 1 << 16, EVENTS = 64, READ_BYTES = 16384 };

static const char RESPONSE[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world";
static const char END[] = "\r\n\r\n";

/* Whom to answer, and when. A connection that was closed meanwhile has another `opened`. */
struct answer {
    int64_t due_ns;
    int fd;
    uint32_t opened;
};

/* Answers of one delay fall due in the order in which they were asked for, so a ring is all it takes. */
struct queue {
    int64_t delay_ns;
    uint32_t first, next;
    struct answer answers[PENDING];
};

static struct queue queues[2];
static struct { uint32_t opened, matched; } connections[CONNECTIONS];

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* 0 to 999, the same row in every run (xorshift, Marsaglia 2003). */
static uint32_t draw(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 33) % 1000;
}

static void ask(int fd, int64_t asked_ns, uint32_t per_mille) {
    struct queue *queue = &queues[per_mille && draw() < per_mille];
    if (queue->next - queue->first == PENDING) {
        fputs("more requests at once than it holds\n", stderr);
        exit(1);
    }
    queue->answers[queue->next++ % PENDING] =
        (struct answer){asked_ns + queue->delay_ns, fd, connections[fd].opened};
}

static void answer_due(void) {
    for (struct queue *queue = queues; queue < queues + 2; queue++) {
        while (queue->first != queue->next) {
            struct answer *answer = &queue->answers[queue->first % PENDING];
            if (answer->due_ns > now_ns()) break;
            queue->first++;
            if (answer->opened == connections[answer->fd].opened)
                send(answer->fd, RESPONSE, sizeof RESPONSE - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
}

static void admit(int listener, int poller) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd].opened++;
        connections[fd].matched = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    }
}

static void hear(int fd, uint32_t per_mille) {
    static char bytes[READ_BYTES];
    ssize_t length = recv(fd, bytes, sizeof bytes, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        connections[fd].opened++;
        close(fd);
        return;
    }
    int64_t asked_ns = now_ns();
    for (ssize_t place = 0; place < length; place++) {
        uint32_t matched = connections[fd].matched;
        matched = bytes[place] == END[matched] ? matched + 1 : bytes[place] == END[0];
        if (matched == sizeof END - 1) {
            ask(fd, asked_ns, per_mille);
            matched = 0;
        }
        connections[fd].matched = matched;
    }
}

int main(int count, char **words) {
    if (count != 3 && count != 5) {
        fputs("usage: delay_server SECONDS DELAY_US [OTHER_US PER_MILLE]\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int64_t until_ns = now_ns() + atoll(words[1]) * 1000000000;
    queues[0].delay_ns = atoll(words[2]) * 1000;
    queues[1].delay_ns = count == 5 ? atoll(words[3]) * 1000 : 0;
    uint32_t per_mille = count == 5 ? atoi(words[4]) : 0;

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, CONNECTIONS)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length)) fail("getsockname");
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("epoll_ctl");
    printf("%d %zu\n", ntohs(address.sin_port), sizeof RESPONSE - 1);
    fflush(stdout);

    struct epoll_event events[EVENTS];
    while (now_ns() < until_ns) {
        answer_due();
        int ready = epoll_wait(poller, events, EVENTS, 0);
        for (int place = 0; place < ready; place++) {
            if (events[place].data.fd == listener) admit(listener, poller);
            else hear(events[place].data.fd, per_mille);
            answer_due();
        }
    }
    return 0;
}
