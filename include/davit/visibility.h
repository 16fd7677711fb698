/**
 * @file
 * Marks what libdavit exports. Only for use inside davit's own headers.
 */
#ifndef DAVIT_VISIBILITY_H
#define DAVIT_VISIBILITY_H

/** A function or object of the public interface. */
#define DAVIT_API __attribute__((visibility("default")))

#endif
