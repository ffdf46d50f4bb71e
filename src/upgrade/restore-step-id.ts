/** Id of the step that restores; in the journal it is done from the moment at which the databases were exchanged. */
export const restoreStep = 'restore';
