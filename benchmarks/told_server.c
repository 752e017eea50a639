/* A server that keeps a record of its own service times: two ports, each with a delay of its own.
 *
 *     told_server DELAY_US OTHER_US
 *
 * Listens on two free ports of 127.0.0.1 and prints both. A request is read, held so long as its port says, and
 * answered; for the last 100 us of that the server spins, before that it sleeps, so that it takes no core while nothing
 * is due. Every response tells its own service time (Server-Timing, ms). It begins when the kernel had the request's
 * last bytes (SO_TIMESTAMPNS; where there is no stamp, when they were read) and ends before the response is written.
 *
 * What happens on a port between its first connection and the moment when its last one is closed is one visit. A line
 * on stdin is answered, as soon as no connection is open, with one of JSON: the visits since the line before, in the
 * order of their ends. Of each: the port's place (0 or 1), the requests, and in ns [p50, p90, p99, mean] of `service`,
 * of its parts `wait` (until it was read) and `held` (after that), and of `write`, what the call took that wrote the
 * response, which is in none of them. Percentiles are exact order statistics. Ends with the end of stdin.
 *
 * A request ends with its first empty line, so it may have no body.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, PENDING = 1 << 16, EVENTS = 64, READ_BYTES = 16384, PORTS = 2, MEASURES = 4, VISITS = 4096 };

#define SPIN_NS INT64_C(100000)
#define SECOND_NS INT64_C(1000000000)

/* The digits are written over in place: all responses are of the same length. */
static char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer-Timing: held;dur=00000.000000\r\n"
    "Content-Length: 12\r\n\r\nhello, world";
static const char END[] = "\r\n\r\n";
static const char *const NAMES[MEASURES] = {"service", "wait", "held", "write"};

/* Whom to answer, and when. A connection that was closed meanwhile has another `opened`. */
struct answer {
    int64_t due_ns, stamped_ns, read_ns;
    int fd;
    uint32_t opened;
};

/* Durations in ns, by request. */
struct sample {
    uint32_t *values;
    size_t room;
};

/* Answers of one port fall due in the order in which they were asked for, so a ring is all it takes. */
struct port {
    int64_t delay_ns;
    int listener;
    uint32_t first, next, open;
    struct answer answers[PENDING];
    struct sample samples[MEASURES];
    size_t count;
};

struct visit {
    int place;
    size_t count;
    double figures[MEASURES][4];
};

static struct port ports[PORTS];
static struct { uint32_t opened, matched; int place; } connections[CONNECTIONS];
static struct visit visits[VISITS];
static size_t visited;
static int asked;

/* The clock of the kernel's stamps. */
static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void keep(struct port *port, const int64_t *durations_ns) {
    for (int measure = 0; measure < MEASURES; measure++) {
        struct sample *sample = &port->samples[measure];
        if (port->count == sample->room) {
            sample->room = sample->room ? 2 * sample->room : 1 << 16;
            sample->values = realloc(sample->values, sample->room * sizeof *sample->values);
            if (!sample->values) fail("realloc");
        }
        int64_t duration_ns = durations_ns[measure];
        sample->values[port->count] = duration_ns < 0 ? 0 : duration_ns > UINT32_MAX ? UINT32_MAX : duration_ns;
    }
    port->count++;
}

static int ascending(const void *one, const void *other) {
    uint32_t left = *(const uint32_t *)one, right = *(const uint32_t *)other;
    return (left > right) - (left < right);
}

/* The last connection of a port was closed: what was kept becomes figures. */
static void end_visit(int place) {
    static const int PER_MILLE[] = {500, 900, 990};
    struct port *port = &ports[place];
    if (!port->count) return;
    if (visited == VISITS) {
        fputs("more visits than it holds: ask oftener\n", stderr);
        exit(1);
    }
    struct visit *visit = &visits[visited++];
    visit->place = place;
    visit->count = port->count;
    for (int measure = 0; measure < MEASURES; measure++) {
        uint32_t *values = port->samples[measure].values;
        qsort(values, port->count, sizeof *values, ascending);
        double sum = 0;
        for (size_t index = 0; index < port->count; index++) sum += values[index];
        for (int figure = 0; figure < 3; figure++) {
            size_t rank = (port->count * PER_MILLE[figure] + 999) / 1000;
            visit->figures[measure][figure] = values[rank ? rank - 1 : 0];
        }
        visit->figures[measure][3] = sum / port->count;
    }
    port->count = 0;
}

static void tell_visits(void) {
    printf("[");
    for (size_t index = 0; index < visited; index++) {
        struct visit *visit = &visits[index];
        printf("%s{\"place\": %d, \"count\": %zu", index ? ", " : "", visit->place, visit->count);
        for (int measure = 0; measure < MEASURES; measure++) {
            double *figures = visit->figures[measure];
            printf(", \"%s_ns\": [%.0f, %.0f, %.0f, %.1f]", NAMES[measure], figures[0], figures[1], figures[2],
                   figures[3]);
        }
        printf("}");
    }
    puts("]");
    fflush(stdout);
    visited = 0;
    asked = 0;
}

/* Writes ms with six digits after the point, and leading zeros. */
static void tell_service(int64_t service_ns) {
    static char *last;
    if (!last) last = strstr(response, "00000.000000") + 11;
    char *digit = last;
    for (int place = 0; place < 12; place++, digit--) {
        if (place == 6) continue;
        *digit = '0' + service_ns % 10;
        service_ns /= 10;
    }
}

static void answer_due(void) {
    for (struct port *port = ports; port < ports + PORTS; port++) {
        while (port->first != port->next) {
            struct answer *answer = &port->answers[port->first % PENDING];
            int64_t now = now_ns();
            if (answer->due_ns > now) break;
            port->first++;
            if (answer->opened != connections[answer->fd].opened) continue;
            tell_service(now - answer->stamped_ns);
            int64_t before_ns = now_ns();
            send(answer->fd, response, sizeof response - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            keep(port, (int64_t[]){before_ns - answer->stamped_ns, answer->read_ns - answer->stamped_ns,
                                   before_ns - answer->read_ns, now_ns() - before_ns});
        }
    }
}

static void admit(int place, int poller) {
    int fd;
    while ((fd = accept4(ports[place].listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        connections[fd].opened++;
        connections[fd].matched = 0;
        connections[fd].place = place;
        ports[place].open++;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    }
}

static void ask(int fd, int64_t stamped_ns, int64_t read_ns) {
    struct port *port = &ports[connections[fd].place];
    if (port->next - port->first == PENDING) {
        fputs("more requests at once than it holds\n", stderr);
        exit(1);
    }
    port->answers[port->next++ % PENDING] =
        (struct answer){read_ns + port->delay_ns, stamped_ns, read_ns, fd, connections[fd].opened};
}

/* When the kernel had the bytes of a message; 0 where it does not say. */
static int64_t stamp_of(struct msghdr *message) {
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
            return stamp.tv_sec * SECOND_NS + stamp.tv_nsec;
        }
    }
    return 0;
}

static void hear(int fd) {
    static char bytes[READ_BYTES];
    char control[256];
    struct iovec into = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(fd, &message, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        int place = connections[fd].place;
        connections[fd].opened++;
        close(fd);
        if (!--ports[place].open) end_visit(place);
        return;
    }
    int64_t read_ns = now_ns(), stamped_ns = stamp_of(&message);
    if (!stamped_ns || stamped_ns > read_ns) stamped_ns = read_ns;
    for (ssize_t place = 0; place < length; place++) {
        uint32_t matched = connections[fd].matched;
        matched = bytes[place] == END[matched] ? matched + 1 : bytes[place] == END[0];
        if (matched == sizeof END - 1) {
            ask(fd, stamped_ns, read_ns);
            matched = 0;
        }
        connections[fd].matched = matched;
    }
}

static int listening(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    /* The kernel stamps nothing until somebody wants stamps, and the first request shall have one. */
    setsockopt(listener, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, CONNECTIONS)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length)) fail("getsockname");
    printf("%d ", ntohs(address.sin_port));
    return listener;
}

static void watch(int poller, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

/* How long epoll may wait: not at all while the server spins, else until the timer or something else. */
static int patience(int timer) {
    static int64_t set_ns;
    int64_t due_ns = 0;
    for (struct port *port = ports; port < ports + PORTS; port++) {
        if (port->first == port->next) continue;
        int64_t first_ns = port->answers[port->first % PENDING].due_ns;
        if (!due_ns || first_ns < due_ns) due_ns = first_ns;
    }
    if (!due_ns) return -1;
    if (due_ns - now_ns() <= SPIN_NS) return 0;
    if (set_ns != due_ns) {
        int64_t wake_ns = due_ns - SPIN_NS;
        struct itimerspec when = {.it_value = {wake_ns / SECOND_NS, wake_ns % SECOND_NS}};
        if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL)) fail("timerfd_settime");
        set_ns = due_ns;
    }
    return -1;
}

int main(int count, char **words) {
    if (count != 1 + PORTS) {
        fputs("usage: told_server DELAY_US OTHER_US\n", stderr);
        return 2;
    }
    int poller = epoll_create1(0), timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    if (poller < 0 || timer < 0) fail("epoll_create1, timerfd_create");
    watch(poller, STDIN_FILENO);
    watch(poller, timer);
    for (int place = 0; place < PORTS; place++) {
        ports[place].delay_ns = atoll(words[1 + place]) * 1000;
        watch(poller, ports[place].listener = listening());
    }
    puts("");
    fflush(stdout);

    struct epoll_event events[EVENTS];
    for (;;) {
        answer_due();
        int ready = epoll_wait(poller, events, EVENTS, patience(timer));
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            uint64_t times;
            if (fd == STDIN_FILENO) {
                char line[64];
                if (read(fd, line, sizeof line) <= 0) return 0;
                asked = 1;
            } else if (fd == timer) {
                if (read(fd, &times, sizeof times) < 0 && errno != EAGAIN) fail("timer");
            } else if (fd == ports[0].listener) {
                admit(0, poller);
            } else if (fd == ports[1].listener) {
                admit(1, poller);
            } else {
                hear(fd);
            }
            answer_due();
        }
        if (asked && !ports[0].open && !ports[1].open) tell_visits();
    }
}
