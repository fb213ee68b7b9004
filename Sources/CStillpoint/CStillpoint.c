#include "CStillpoint.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local __attribute__((tls_model("initial-exec"))) void *sp_current_thread_record;
_Thread_local __attribute__((tls_model("initial-exec"))) uintptr_t sp_reader_number_storage = SP_NOT_A_READER;
_Thread_local __attribute__((tls_model("initial-exec"))) void *sp_failure_plan_storage;

static _Alignas(SP_PARKING_LINE_BYTE_COUNT) unsigned char
    parking_lines[SP_PARKING_LINE_BYTE_COUNT << SP_PARKING_BUCKET_BITS];

void *sp_parking_lines(void) { return parking_lines; }

// System calls -----------------------------------------------------------------------------------------------

int sp_futex_wait(const void *word, uint32_t expected, const struct timespec *deadline) {
  // WAIT_BITSET takes an absolute time of the monotonic clock; WAIT would take a relative one.
  long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, deadline, NULL,
                        FUTEX_BITSET_MATCH_ANY);
  return result == 0 ? 0 : errno;
}

int sp_futex_wake(const void *word, int count) {
  long result = syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
  return result < 0 ? 0 : (int)result;
}

void sp_set_thread_name(const char *name) {
  char cut[16];
  strncpy(cut, name, sizeof cut - 1);
  cut[sizeof cut - 1] = 0;
  pthread_setname_np(pthread_self(), cut);
}

int sp_set_affinity(int processor) {
  cpu_set_t set;
  if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int sp_set_start_affinity(pthread_attr_t *attributes, int processor) {
  cpu_set_t set;
  if (processor < 0 || processor >= CPU_SETSIZE) return EINVAL;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return pthread_attr_setaffinity_np(attributes, sizeof set, &set);
}

int sp_usable_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

int sp_may_use_processor(int processor) {
  cpu_set_t set;
  if (processor < 0 || processor >= CPU_SETSIZE) return 0;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_ISSET(processor, &set);
}

char **sp_environment(void) { return environ; }

int sp_fork(void) { return (int)fork(); }

// liburcu ----------------------------------------------------------------------------------------------------
//
// liburcu 0.13 knows nothing of fork: the child's registry still names the records of threads that the child
// does not have, in stacks that its next thread will be given. So every record is listed here, too, and the
// child unlinks those that are not its own.
//
// Lock order: grace period, then readers.

char sp_rcu_from_writer, sp_rcu_from_reader;

struct reader_entry {
  struct urcu_qsbr_reader *record;
  struct reader_entry *next, *previous;
};

static _Thread_local struct reader_entry own_entry;
static struct reader_entry readers = {NULL, &readers, &readers};  // guarded by readers_lock
static size_t reader_count;                                       // guarded by readers_lock
static uintptr_t last_reader_number;                              // guarded by readers_lock
static pthread_mutex_t readers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t grace_period_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t exit_key;  // guarded by readers_lock until has_exit_key
static int has_exit_key;        // guarded by readers_lock

static void unlink_entry(struct reader_entry *entry) {
  entry->next->previous = entry->previous;
  entry->previous->next = entry->next;
  reader_count -= 1;
}

static void unregister_at_exit(void *value) {
  struct reader_entry *entry = value;
  if (sp_current_thread_record != NULL) {
    // Every later stop would wait for it for ever.
    static const char text[] = "stillpoint: a thread ended with its thread state attached: detach it first\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    abort();
  }
  pthread_mutex_lock(&readers_lock);
  SP_RELEASE(&sp_rcu_from_reader);
  urcu_qsbr_unregister_thread();
  unlink_entry(entry);
  entry->record = NULL;
  sp_reader_number_storage = SP_NOT_A_READER;
  pthread_mutex_unlock(&readers_lock);
}

// First of all what can fail. Without it the record of a thread that is gone would stay in liburcu's registry.
static int prepare_exit(struct reader_entry *entry) {
  pthread_mutex_lock(&readers_lock);
  int failure = has_exit_key ? 0 : pthread_key_create(&exit_key, unregister_at_exit);
  if (failure == 0) has_exit_key = 1;
  pthread_mutex_unlock(&readers_lock);
  return failure ? failure : pthread_setspecific(exit_key, entry);
}

int sp_rcu_register(void) {
  struct reader_entry *entry = &own_entry;
  if (entry->record) return 0;
  int failure = prepare_exit(entry);
  if (failure) return failure;
  pthread_mutex_lock(&readers_lock);
  entry->record = &URCU_TLS(urcu_qsbr_reader);
  entry->next = &readers;
  entry->previous = readers.previous;
  entry->previous->next = entry;
  readers.previous = entry;
  reader_count += 1;
  sp_reader_number_storage = ++last_reader_number;
  urcu_qsbr_register_thread();
  urcu_qsbr_thread_offline();
  pthread_mutex_unlock(&readers_lock);
  return 0;
}

size_t sp_rcu_reader_count(void) {
  pthread_mutex_lock(&readers_lock);
  size_t count = reader_count;
  pthread_mutex_unlock(&readers_lock);
  return count;
}

void sp_rcu_synchronize(void) {
  pthread_mutex_lock(&grace_period_lock);
  SP_RELEASE(&sp_rcu_from_writer);
  urcu_qsbr_synchronize_rcu();
  SP_ACQUIRE(&sp_rcu_from_reader);
  pthread_mutex_unlock(&grace_period_lock);
}

static _Thread_local int was_online_before_fork;

void sp_rcu_before_fork(void) {
  // Offline, so that the grace period under way does not wait for the thread that waits for it.
  was_online_before_fork = own_entry.record != NULL && sp_rcu_is_online();
  if (was_online_before_fork) sp_rcu_offline();
  pthread_mutex_lock(&grace_period_lock);
  pthread_mutex_lock(&readers_lock);
  urcu_qsbr_call_rcu_before_fork();
}

static void unlock_after_fork(void) {
  pthread_mutex_unlock(&readers_lock);
  pthread_mutex_unlock(&grace_period_lock);
  if (was_online_before_fork) sp_rcu_online();
}

void sp_rcu_after_fork_parent(void) {
  urcu_qsbr_call_rcu_after_fork_parent();
  unlock_after_fork();
}

void sp_rcu_after_fork_child(void) {
  struct reader_entry *entry = readers.next;
  while (entry != &readers) {
    struct reader_entry *next = entry->next;
    if (entry != &own_entry) {
      cds_list_del(&entry->record->node);
      unlink_entry(entry);
    }
    entry = next;
  }
  urcu_qsbr_call_rcu_after_fork_child();
  unlock_after_fork();
}
