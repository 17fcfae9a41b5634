// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's interface of ordered trees, without the balance: tests are short. */
#include "kernel.h"

static struct rb_node *leftmost(struct rb_node *node)
{
	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return leftmost(root->rb_node);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right)
		return leftmost(node->rb_right);
	while (node->parent && node == node->parent->rb_right)
		node = node->parent;
	return node->parent;
}

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	*node = (struct rb_node) { .parent = parent };
	*link = node;
}

/* Puts @with, which may be NULL, where @node is. */
static void replace(struct rb_root *root, struct rb_node *node, struct rb_node *with)
{
	if (!node->parent)
		root->rb_node = with;
	else if (node->parent->rb_left == node)
		node->parent->rb_left = with;
	else
		node->parent->rb_right = with;
	if (with)
		with->parent = node->parent;
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next;

	if (!node->rb_left || !node->rb_right) {
		replace(root, node, node->rb_left ?: node->rb_right);
		return;
	}
	next = leftmost(node->rb_right);
	if (next != node->rb_right) {
		replace(root, next, next->rb_right);
		next->rb_right = node->rb_right;
		next->rb_right->parent = next;
	}
	replace(root, node, next);
	next->rb_left = node->rb_left;
	next->rb_left->parent = next;
}
