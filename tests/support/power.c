/* Notes what a program has synced to a disk, so that a test can let the power fail.

   Loaded with LD_PRELOAD. After each fsync and fdatasync of something in the folder $POWER_FOLDER, it copies what the
   file now contains to $POWER_DISK/content/INODE, or the entries of the folder to $POWER_DISK/entries. What is in
   neither has not reached the disk. The file is read by the descriptor that was synced: opening and closing another one
   would release the locks that the program holds on the file. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
  perror(what);
  abort();
}

static void copy_content(int fd, const struct stat *status, const char *disk) {
  static char buffer[1 << 16];
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/content/%llu", disk, (unsigned long long)status->st_ino);
  int copy = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (copy < 0) fail(path);
  off_t offset = 0;
  ssize_t length;
  while ((length = pread(fd, buffer, sizeof buffer, offset)) > 0) {
    if (pwrite(copy, buffer, length, offset) != length) fail(path);
    offset += length;
  }
  if (length < 0 || ftruncate(copy, offset) || close(copy)) fail(path);
}

static void copy_entries(const char *folder, const char *disk) {
  char path[PATH_MAX], unfinished[PATH_MAX];
  snprintf(path, sizeof path, "%s/entries", disk);
  snprintf(unfinished, sizeof unfinished, "%s/entries.new", disk);
  DIR *entries = opendir(folder);
  FILE *list = fopen(unfinished, "we");
  if (!entries || !list) fail(unfinished);
  struct dirent *entry;
  while ((entry = readdir(entries)))
    if (entry->d_type == DT_REG) fprintf(list, "%llu %s\n", (unsigned long long)entry->d_ino, entry->d_name);
  closedir(entries);
  if (fclose(list) || rename(unfinished, path)) fail(path);
}

static void note(int fd) {
  const char *folder = getenv("POWER_FOLDER"), *disk = getenv("POWER_DISK");
  char name[64], path[PATH_MAX];
  struct stat status;
  if (!folder || !disk || fstat(fd, &status)) return;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, path, sizeof path - 1);
  size_t prefix = strlen(folder);
  if (length < 0) return;
  path[length] = 0;
  if (strncmp(path, folder, prefix) || (path[prefix] != '/' && path[prefix])) return;
  pthread_mutex_lock(&turn);
  if (S_ISDIR(status.st_mode))
    copy_entries(folder, disk);
  else
    copy_content(fd, &status, disk);
  pthread_mutex_unlock(&turn);
}

static int synced(const char *function, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
  int result = real(fd);
  if (!result) note(fd);
  return result;
}

int fsync(int fd) { return synced("fsync", fd); }

int fdatasync(int fd) { return synced("fdatasync", fd); }
