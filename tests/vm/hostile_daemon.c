// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hostile daemon: threads that share the device and all fds, and a keeper,
 * another process that receives fds and uses them at random.
 *
 * An fd number is not reused while a thread may use it: "closing" puts /dev/null
 * in its place, at any time, and the number is freed after its last use. So data
 * of one blob is never written to another.
 */
#include "daemon.h"
#include "guest.h"
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OBJECTS		256
#define REQUESTS	256
#define KEPT		32
#define GRAIN		4096UL

/* An fd of a blob; free if it has no blob. */
struct object {
	const struct blob *blob;
	uint32_t id;
	int fd;
	unsigned int users;
	bool dead;
};

/* A request; kept for late and repeated replies until it is overwritten. */
struct request {
	uint32_t opcode, msg_id, object_id;
	uint64_t off, len;
	const struct blob *blob;
	bool taken;
};

struct passed {
	const struct blob *blob;
	uint32_t msg_id;
};

struct thread {
	struct dice dice;
	pthread_t thread;
};

static struct object objects[OBJECTS];
static struct request requests[REQUESTS];
static unsigned int next_request;
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static int device, null, keeper_sock;
static unsigned int malice;
static void *unmapped;
static const struct blob no_blob = { .name = "", .size = 1 << 20 };

int open_device(void)
{
	return daemon_open(NULL, 0);
}

int bind_device(int dev)
{
	return daemon_bind(dev, options.cache);
}

/* --- the tables --- */

static const struct blob *find_blob(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < nr_blobs; i++)
		if (strlen(blobs[i].name) == len && !memcmp(blobs[i].name, name, len))
			return &blobs[i];
	return NULL;
}

static void put_object(struct object *obj)
{
	pthread_mutex_lock(&table);
	if (--obj->users == 0 && obj->dead) {
		close(obj->fd);
		obj->blob = NULL;
	}
	pthread_mutex_unlock(&table);
}

/* Closes the fd at once, even if it is in use. */
static void kill_object(struct object *obj)
{
	pthread_mutex_lock(&table);
	if (!obj->dead) {
		dup2(null, obj->fd);
		obj->dead = true;
		count(NR_fd_closed);
	}
	pthread_mutex_unlock(&table);
}

static struct object *take_if(struct object *obj, uint32_t id)
{
	if (!obj->blob || obj->dead || (id && obj->id != id))
		return NULL;
	obj->users++;
	return obj;
}

/* Some fd of object @id, or of any if 0; released by put_object(). */
static struct object *take_object(struct dice *dice, uint32_t id)
{
	unsigned int start = any(dice, OBJECTS), i;
	struct object *obj = NULL;

	pthread_mutex_lock(&table);
	for (i = 0; i < OBJECTS && !obj; i++)
		obj = take_if(&objects[(start + i) % OBJECTS], id);
	pthread_mutex_unlock(&table);
	return obj;
}

static void add_object(struct dice *dice, const struct blob *blob, uint32_t id, int fd)
{
	struct object *obj;
	unsigned int i;

	pthread_mutex_lock(&table);
	for (i = 0; i < OBJECTS && objects[i].blob; i++)
		;
	if (i < OBJECTS)
		objects[i] = (struct object){ .blob = blob, .id = id, .fd = fd };
	pthread_mutex_unlock(&table);
	if (i < OBJECTS)
		return;
	close(fd);
	obj = take_object(dice, 0);
	if (!obj)
		return;
	kill_object(obj);
	put_object(obj);
}

static void kill_objects(struct dice *dice, uint32_t id)
{
	struct object *obj;

	while ((obj = take_object(dice, id))) {
		kill_object(obj);
		put_object(obj);
	}
}

static void add_request(const struct request *r)
{
	pthread_mutex_lock(&table);
	requests[next_request++ % REQUESTS] = *r;
	pthread_mutex_unlock(&table);
}

/* A request, one that no thread has taken yet if @open. A copy: replies may race. */
static bool take_request(struct dice *dice, uint32_t opcode, bool open, struct request *r)
{
	unsigned int start = any(dice, REQUESTS), i;
	bool found = false;

	pthread_mutex_lock(&table);
	for (i = 0; i < REQUESTS && !found; i++) {
		struct request *it = &requests[(start + i) % REQUESTS];

		if (!it->msg_id || it->opcode != opcode || (open && it->taken))
			continue;
		*r = *it;
		it->taken = true;
		found = true;
	}
	pthread_mutex_unlock(&table);
	return found;
}

/* --- valid replies --- */

/* Data of a blob; random past its end, and with random errors in mode "any". */
static void make_bytes(struct dice *dice, const struct blob *blob, unsigned char *to,
		       uint64_t off, size_t len)
{
	size_t have = off < blob->size && blob->data ? blob->size - off : 0, i;

	if (have > len)
		have = len;
	if (have)
		memcpy(to, blob->data + off, have);
	for (i = have; i < len; i++)
		to[i] = any64(dice);
	if (!options.right && len && one_in(dice, 3))
		for (i = 0; i < 8; i++)
			to[any64(dice) % len] = any64(dice);
}

static bool fill(struct dice *dice, int fd, const struct blob *blob, uint64_t off, uint64_t len)
{
	static __thread unsigned char buf[(256 << 10) + 8];
	unsigned char *at = buf + any(dice, 8);

	while (len) {
		size_t part = len < 256 << 10 ? len : 256 << 10;
		ssize_t n;

		make_bytes(dice, blob, at, off, part);
		n = pwrite(fd, at, part, off);
		count(n > 0 ? NR_fill_ok : NR_fill_rejected);
		if (n <= 0)
			return false;
		off += n;
		len -= n;
	}
	return true;
}

static void complete(int fd, unsigned long msg_id)
{
	bool ok = daemon_complete(fd, msg_id) == 0;

	count(ok ? NR_complete_ok : NR_complete_rejected);
}

static void copen(uint32_t id, const char *size)
{
	count(daemon_command(device, "copen %u,%s", id, size) ? NR_copen_rejected : NR_copen_ok);
}

static void reply_open(const struct request *r)
{
	char size[32];

	snprintf(size, sizeof(size), "%lld", r->blob == &no_blob ? -2LL : (long long)r->blob->size);
	copen(r->msg_id, size);
}

static void reply_read(struct dice *dice, const struct request *r)
{
	struct object *obj = take_object(dice, r->object_id);

	if (!obj)
		return;
	fill(dice, obj->fd, obj->blob, r->off, r->len);
	complete(obj->fd, r->msg_id);
	put_object(obj);
}

/* --- messages --- */

static void on_open(struct dice *dice, const struct message *m, struct request *r)
{
	const struct cachefiles_od_open *o = &m->open;

	r->blob = find_blob((const char *)o->data + o->volume_key_size, o->cookie_key_size) ?:
		  &no_blob;
	add_object(dice, r->blob, m->head.object_id, o->fd);
	count(NR_opens);
}

/* Return: false if there was no message. */
static bool on_message(struct dice *dice, const struct message *m, ssize_t n, struct request *r)
{
	if (n <= 0)
		return false;
	if (n != m->head.len || n < (ssize_t)sizeof(m->head) || m->head.opcode > 2) {
		count(NR_broken);
		say("read returns %zd for a message of %u bytes, opcode %u", n, m->head.len,
		    m->head.opcode);
		return false;
	}
	*r = (struct request){ .opcode = m->head.opcode, .msg_id = m->head.msg_id,
			       .object_id = m->head.object_id };
	if (r->opcode == CACHEFILES_OD_OP_OPEN) {
		on_open(dice, m, r);
	} else if (r->opcode == CACHEFILES_OD_OP_READ) {
		r->off = m->range.off;
		r->len = m->range.len;
		count(NR_reads);
	} else {
		count(NR_closes);
	}
	return true;
}

static bool fetch(struct dice *dice, struct request *r, size_t len)
{
	struct message m;

	return on_message(dice, &m, read(device, &m, len), r);
}

/* As a daemon should, except for the order of replies. */
static void serve(struct dice *dice)
{
	struct request r;

	if (take_request(dice, CACHEFILES_OD_OP_OPEN, true, &r)) {
		reply_open(&r);
		return;
	}
	if (take_request(dice, CACHEFILES_OD_OP_READ, true, &r)) {
		reply_read(dice, &r);
		return;
	}
	if (!daemon_readable(device, 3) || !fetch(dice, &r, sizeof(struct message)))
		return;
	if (r.opcode == CACHEFILES_OD_OP_CLOSE)
		kill_objects(dice, r.object_id);
	else
		add_request(&r);
}

/* --- misbehaviour --- */

/* Memory whose page fault the daemon itself has to serve, if an image is mounted. */
static void *slow_memory(struct dice *dice)
{
	const struct tree *tree = &trees[any(dice, nr_trees)];
	char slot[256], path[4096];
	void *map;
	int fd;

	slot_path(slot, any(dice, SLOTS));
	snprintf(path, sizeof(path), "%s/%s", slot, tree->files[any(dice, tree->nr_files)]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return MAP_FAILED;
	map = mmap(NULL, GRAIN, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	return map;
}

static void fetch_oddly(struct dice *dice)
{
	struct request r;
	void *slow;

	switch (any(dice, 8)) {
	case 0:
		read(device, unmapped, CACHEFILES_OD_MSG_MAX);
		return;
	case 1:
		slow = slow_memory(dice);
		if (slow == MAP_FAILED)
			return;
		if (on_message(dice, slow, read(device, slow, CACHEFILES_OD_MSG_MAX), &r))
			add_request(&r);
		munmap(slow, GRAIN);
		return;
	case 2:
	case 3:
		if (fetch(dice, &r, any(dice, 80)))
			add_request(&r);
		return;
	default:
		/* READs and CLOSEs may be ignored. */
		if (fetch(dice, &r, sizeof(struct message)) &&
		    (r.opcode == CACHEFILES_OD_OP_OPEN || !one_in(dice, 4)))
			add_request(&r);
	}
}

static uint32_t any_id(struct dice *dice)
{
	struct request r;

	if (!one_in(dice, 3) && take_request(dice, any(dice, 2) * 2, false, &r))
		return r.msg_id + (one_in(dice, 4) ? any(dice, 3) : 0);
	return one_in(dice, 2) ? any(dice, 1000) : any64(dice);
}

/* In mode "right" a wrong size is a multiple of GRAIN, or larger than the right one. */
static void any_size(struct dice *dice, const struct blob *blob, char text[64])
{
	static const char * const odd[] = { "", "zork", "-", "-0", "-4096", "99999999999999999999",
		"9223372036854775807", "4611686018427387904", "1099511627776", " 1", "1 ", "0x10",
		"0", "4096", "-2", "-5", "-11", "-4095", "+4096", "1,2" };
	uint64_t size = blob->size;

	switch (any(dice, 4)) {
	case 0:
		snprintf(text, 64, "%s", odd[any(dice, sizeof(odd) / sizeof(odd[0]))]);
		return;
	case 1:
		size = any64(dice) % size & ~(GRAIN - 1);
		break;
	case 2:
		size += any(dice, 100000);
		break;
	default:
		if (!options.right)
			size = any64(dice) % size;
	}
	snprintf(text, 64, "%llu", (unsigned long long)size);
}

static void reply_open_oddly(struct dice *dice)
{
	struct request r;
	char size[64];

	if (!take_request(dice, CACHEFILES_OD_OP_OPEN, !one_in(dice, 3), &r))
		return;
	switch (any(dice, 6)) {
	case 0:
		r.msg_id = any_id(dice);
		/* A valid id may be another blob's: never a size, always an errno. */
		copen(r.msg_id, "-5");
		return;
	case 1:
		kill_objects(dice, r.object_id);
		reply_open(&r);
		return;
	case 2:
		reply_open(&r);
		reply_open(&r);
		return;
	default:
		any_size(dice, r.blob, size);
		copen(r.msg_id, size);
	}
}

static void reply_read_oddly(struct dice *dice)
{
	struct object *obj;
	struct request r;

	if (!take_request(dice, CACHEFILES_OD_OP_READ, !one_in(dice, 3), &r))
		return;
	obj = take_object(dice, one_in(dice, 4) ? 0 : r.object_id);
	if (!obj)
		return;
	switch (any(dice, 7)) {
	case 0:
		break;
	case 1:
		fill(dice, obj->fd, obj->blob, r.off, r.len / 2 & ~(GRAIN - 1));
		break;
	case 2:
		/* without a completion, or with a later one */
		fill(dice, obj->fd, obj->blob, r.off, r.len);
		put_object(obj);
		return;
	case 3:
		r.msg_id = any_id(dice);
		break;
	case 4:
		fill(dice, obj->fd, obj->blob, r.off + any(dice, 5000), r.len);
		break;
	case 5:
		ioctl(obj->fd, any64(dice), any64(dice));
		break;
	default:
		fill(dice, obj->fd, obj->blob, r.off, r.len);
		complete(obj->fd, r.msg_id);
	}
	complete(obj->fd, r.msg_id);
	put_object(obj);
}

static void write_slow_memory(struct dice *dice, const struct object *obj)
{
	void *slow = slow_memory(dice);
	off_t off = options.right ? obj->blob->size + (1 << 20) : any64(dice) % obj->blob->size;

	if (slow == MAP_FAILED)
		return;
	if (pwrite(obj->fd, slow, GRAIN, off) > 0)
		count(NR_fill_ok);
	munmap(slow, GRAIN);
}

static void write_oddly(struct dice *dice)
{
	struct object *obj = take_object(dice, 0);
	uint64_t size, off;

	if (!obj)
		return;
	size = obj->blob->size;
	off = any64(dice) % size;
	switch (any(dice, 8)) {
	case 0:
		fill(dice, obj->fd, obj->blob, off, any(dice, 3 * GRAIN));
		break;
	case 1:
		fill(dice, obj->fd, obj->blob, size - any(dice, 100), any(dice, 10 * GRAIN));
		break;
	case 2:
		fill(dice, obj->fd, &no_blob, any64(dice) >> any(dice, 8) | 1UL << 40, 4096);
		break;
	case 3:
		pwrite(obj->fd, unmapped, GRAIN, off);
		pwrite(obj->fd, unmapped, 0, off);
		break;
	case 4:
		/* only half of it is readable */
		pwrite(obj->fd, obj->blob->data ? (char *)unmapped - GRAIN : unmapped, 2 * GRAIN,
		       size + (1 << 20));
		break;
	case 5:
		write_slow_memory(dice, obj);
		break;
	default:
		fill(dice, obj->fd, obj->blob, off & ~(GRAIN - 1), 1 + any(dice, 64 * GRAIN));
	}
	put_object(obj);
}

static void seek_oddly(struct dice *dice)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 77 };
	struct object *obj = take_object(dice, 0);

	if (!obj)
		return;
	lseek(obj->fd, one_in(dice, 4) ? any64(dice) : any64(dice) % obj->blob->size,
	      whence[any(dice, 6)]);
	put_object(obj);
}

static void pass_on(struct dice *dice, const struct object *obj)
{
	struct passed what = { .blob = obj->blob, .msg_id = any_id(dice) };
	struct iovec iov = { .iov_base = &what, .iov_len = sizeof(what) };
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &obj->fd, sizeof(int));
	if (sendmsg(keeper_sock, &msg, MSG_DONTWAIT) > 0)
		count(NR_fd_passed);
}

static void handle_fd_oddly(struct dice *dice)
{
	struct object *obj = take_object(dice, 0);
	int fd;

	if (!obj)
		return;
	switch (any(dice, 4)) {
	case 0:
		kill_object(obj);
		break;
	case 1:
		fd = dup(obj->fd);
		if (fd >= 0)
			add_object(dice, obj->blob, obj->id, fd);
		break;
	case 2:
		pass_on(dice, obj);
		break;
	default:
		pass_on(dice, obj);
		kill_object(obj);
	}
	put_object(obj);
}

/* Changes to a random directory of the cache; each thread has its own working directory. */
static bool enter(struct dice *dice, char name[256], unsigned int levels)
{
	struct dirent *ent;
	bool found = false;
	unsigned int nr = 0;
	DIR *dir;

	if (!levels && (chdir(options.cache) || chdir("cache")))
		return false;
	dir = opendir(".");
	while (dir && (ent = readdir(dir)))
		if (ent->d_name[0] != '.' && one_in(dice, ++nr)) {
			snprintf(name, 256, "%s", ent->d_name);
			found = true;
		}
	if (dir)
		closedir(dir);
	if (levels < 2 && found && !one_in(dice, 20) && chdir(name) == 0)
		return enter(dice, name, levels + 1);
	return found;
}

/* Modifies the cache directly: in mode "any" also the data, in both modes the names. */
static void tamper(struct dice *dice, const char *name)
{
	int fd;

	if (one_in(dice, 4)) {
		unlink(name);
		return;
	}
	fd = options.right ? -1 : open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (one_in(dice, 2)) {
		if (ftruncate(fd, any(dice, 1 << 20)))
			count(NR_commands);
	} else if (pwrite(fd, &fd, sizeof(fd), any(dice, 1 << 20)) < 0) {
		count(NR_commands);
	}
	close(fd);
}

static void cull_oddly(struct dice *dice)
{
	char name[256];

	if (!enter(dice, name, 0))
		return;
	if (one_in(dice, 3))
		daemon_command(device, "inuse %s", name);
	else if (one_in(dice, 6))
		tamper(dice, name);
	else if (daemon_command(device, "cull %s", name) == 0)
		count(NR_culled);
}

static void command_oddly(struct dice *dice)
{
	static const char * const odd[] = { "dir /tmp", "tag x", "bind ondemand", "bind", "restore",
		"restore", "restore", "restore now", "debug 1", "brun 7%", "secctx x", "copen", "copen ",
		"copen ,", "copen 1", "copen -1,1", "cull", "cull .", "cull ..", "cull a/b", "inuse",
		"inuse nothing", "\nrestore", "nonsense", "" };
	char bytes[4200];
	unsigned int i, len;

	count(NR_commands);
	if (!one_in(dice, 3)) {
		daemon_command(device, "%s", odd[any(dice, sizeof(odd) / sizeof(odd[0]))]);
		return;
	}
	len = one_in(dice, 8) ? any(dice, sizeof(bytes)) : any(dice, 40);
	for (i = 0; i < len; i++)
		bytes[i] = any64(dice);
	daemon_command_bytes(device, bytes, len);
	write(device, unmapped, 1 + any(dice, 100));
}

static void poke_device(struct dice *dice)
{
	struct pollfd p = { .fd = device, .events = any64(dice) };
	int second = open_device();

	if (second >= 0 || errno != EBUSY) {
		count(NR_broken);
		say("a second opener: %s", second >= 0 ? "succeeds" : strerror(errno));
		close(second);
	}
	poll(&p, 1, any(dice, 3));
	lseek(device, any64(dice), SEEK_SET);
	ioctl(device, any64(dice), any64(dice));
	if (mmap(NULL, GRAIN, PROT_READ, MAP_SHARED, device, 0) != MAP_FAILED)
		count(NR_broken);
}

/* Leaves a child that has all fds, including the device, open for a while. */
static void leave_child(struct dice *dice)
{
	useconds_t how_long = any(dice, 150000);
	pid_t parent = getpid();
	unsigned int mine = any(dice, OBJECTS);

	if (fork()) {
		count(NR_forks);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	usleep(how_long);
	if (objects[mine].blob)
		lseek(objects[mine].fd, 0, SEEK_END);
	_exit(0);
}

/* The weights add up to 100. */
static void misbehave(struct dice *dice)
{
	static const struct {
		unsigned int weight;
		void (*act)(struct dice *dice);
	} acts[] = {
		{ 22, fetch_oddly }, { 14, reply_open_oddly }, { 20, reply_read_oddly },
		{ 16, write_oddly }, { 5, seek_oddly }, { 10, handle_fd_oddly },
		{ 5, cull_oddly }, { 5, command_oddly }, { 2, poke_device }, { 1, leave_child },
	};
	unsigned int at = any(dice, 100), i;

	for (i = 0; at >= acts[i].weight; i++)
		at -= acts[i].weight;
	acts[i].act(dice);
}

static void *run(void *data)
{
	struct thread *t = data;

	if (unshare(CLONE_FS))
		say("unshare: %s", strerror(errno));
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		count(NR_steps);
		if (any(&t->dice, 100) < malice)
			misbehave(&t->dice);
		else
			serve(&t->dice);
	}
	return NULL;
}

/* A readable page followed by an unreadable one. */
static void make_unmapped(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	unmapped = map + page;
	if (map == MAP_FAILED || mprotect(unmapped, page, PROT_NONE))
		_exit(1);
}

void daemon_main(int dev, int keeper, unsigned int life, bool restored)
{
	static struct thread threads[THREADS];
	struct dice dice = new_dice(life, 0);
	unsigned int i;

	device = dev;
	keeper_sock = keeper;
	malice = 5 + any(&dice, 60);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	signal(SIGCHLD, SIG_IGN);
	make_unmapped();
	if (restored)
		daemon_command(device, "restore");
	for (i = 0; i < THREADS; i++) {
		threads[i].dice = new_dice(life, 1 + i);
		if (pthread_create(&threads[i].thread, NULL, run, &threads[i]))
			_exit(1);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	_exit(0);
}

/* --- the keeper --- */

struct kept {
	struct passed what;
	int fd;
};

static bool receive(int sock, struct kept *kept, bool wait)
{
	struct iovec iov = { .iov_base = &kept->what, .iov_len = sizeof(kept->what) };
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT)) <= 0 ||
	    !CMSG_FIRSTHDR(&msg))
		return false;
	memcpy(&kept->fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return true;
}

static void use(struct dice *dice, struct kept *kept)
{
	const struct blob *blob = kept->what.blob;

	switch (any(dice, 5)) {
	case 0:
		complete(kept->fd, kept->what.msg_id + any(dice, 4));
		break;
	case 1:
		lseek(kept->fd, any64(dice) % blob->size, SEEK_DATA);
		break;
	case 2:
		close(kept->fd);
		kept->fd = -1;
		break;
	default:
		fill(dice, kept->fd, blob, any64(dice) % blob->size & ~(GRAIN - 1),
		     1 + any(dice, 64 * GRAIN));
	}
}

/* Outlives daemons; its fds are closed when it is killed. */
void keeper_main(int sock, unsigned int life)
{
	static struct kept kept[KEPT];
	struct dice dice = new_dice(life, 500);
	unsigned int i;

	for (i = 0; i < KEPT; i++)
		kept[i].fd = -1;
	for (;;) {
		struct kept *it = &kept[any(&dice, KEPT)];

		if (it->fd < 0) {
			if (!receive(sock, it, false))
				usleep(2000);
		} else {
			use(&dice, it);
		}
	}
}
