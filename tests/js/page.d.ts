/**
 * How the scripts of the pages see the document, for `tsc`: what kind of element an id or a selector stands for, the
 * templates say and the browser tests try. Calls, names and data between modules are checked as anywhere.
 */

interface ParentNode {
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}

interface Document {
  getElementById(id: string): any;
  readonly activeElement: any;
  addEventListener(
    type: `htmx:${string}`,
    listener: (event: CustomEvent) => void,
    options?: AddEventListenerOptions,
  ): void;
}

interface DocumentFragment {
  readonly firstElementChild: any;
}

interface Element {
  closest(selectors: string): any;
}

/** Events of a page come from its elements. */
interface EventTarget {
  readonly id?: string;
  readonly dataset?: any;
  readonly elements?: any;
  checked?: boolean;
  value?: any;
  closest?(selectors: string): any;
  matches?(selectors: string): boolean;
}

interface FileSystemEntry {
  file?(onFile: (file: File) => void, onError: (error: Error) => void): void;
  createReader?(): FileSystemDirectoryReader;
}

interface Window {
  /** The vendored htmx; `layout.js` and every page load after it. */
  readonly htmx: any;
}

/** The vendored Ace editor, once `json_field.js` has loaded it. */
declare var ace: any;
