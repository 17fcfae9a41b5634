/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All accesses of the daemon to the kernel's device and to the fds it provides. The tests link
 * another implementation of these functions in place of device.c.
 */
#ifndef ODD_DEVICE_H
#define ODD_DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * device_open - open the device, or take over an open one
 * @path: used if @fd is negative
 * @fd: an inherited fd of the device, or -1
 *
 * Return: an fd to poll and to use below, or a negative errno
 */
int device_open(const char *path, int fd);

/**
 * device_receive - receive a message. Return: its length, 0 if there is none, or a negative
 * errno
 */
ssize_t device_receive(int dev, void *buf, size_t size);

/** device_command - send one command; 0 or a negative errno */
int device_command(int dev, const char *command);

/** device_fill - write all of a buffer to a blob's fd; 0 or a negative errno */
int device_fill(int dev, int blob_fd, const void *buf, size_t len, uint64_t off);

/** device_complete - complete a READ; 0 or a negative errno */
int device_complete(int dev, int blob_fd, uint32_t msg_id);

/** device_close_blob - close a blob's fd */
void device_close_blob(int dev, int blob_fd);

#endif
