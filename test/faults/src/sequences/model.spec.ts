import { describe, expect, it } from 'vitest';
import { UploadModel, type Appending } from './model.js';

const at = (offsetBytes: number, text: string, effect: Appending['effect']): Appending => ({
  offsetBytes,
  body: Buffer.from(text),
  effect,
});
const textsOf = (model: UploadModel): string[] => model.contents.map(String).toSorted();

describe('the model of an upload', () => {
  it('takes what was acknowledged, and nothing of what was refused', () => {
    const model = new UploadModel();
    expect(model.settle([at(0, 'abc', 'all'), at(0, 'xyz', 'none'), at(3, 'def', 'all')], 6)).toBe(true);
    expect(textsOf(model)).toEqual(['abcdef']);
    expect(model.settle([at(6, 'xyz', 'none')], 9)).toBe(false);
  });

  it('notices what was lost and what is too much', () => {
    expect(new UploadModel().settle([at(0, 'abc', 'all')], 2)).toBe(false);
    expect(new UploadModel().settle([at(0, 'abc', 'all'), at(0, 'xyz', 'all')], 3)).toBe(false);
    expect(new UploadModel().settle([], 1)).toBe(false);
  });

  it('knows what requests that failed may have left', () => {
    const model = new UploadModel();
    expect(model.settle([at(0, 'abc', 'some'), at(0, 'xyz', 'some')], 2)).toBe(true);
    expect(textsOf(model)).toEqual(['ab', 'xy']);
    expect(model.settle([at(2, 'c', 'all')], 3)).toBe(true);
    expect(textsOf(model)).toEqual(['abc', 'xyc']);
  });

  it('lets one that is still under way go on from where it was seen', () => {
    const model = new UploadModel();
    const running = at(0, 'abcdef', 'unknown');
    expect(model.settle([running], 2)).toBe(true);
    running.effect = 'all';
    expect(model.settle([running], 6)).toBe(true);
    expect(textsOf(model)).toEqual(['abcdef']);
  });

  it('joins one that was cut off with one that went on there', () => {
    const model = new UploadModel();
    expect(model.settle([at(0, 'abcdef', 'some'), at(2, 'XY', 'all')], 4)).toBe(true);
    expect(textsOf(model)).toEqual(['abXY']);
  });
});
