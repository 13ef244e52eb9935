import { deployBudget } from './answerBudget.js';

/** Run before each test file. Files share a process: each begins with the budget of a process that has just begun. */
deployBudget();
