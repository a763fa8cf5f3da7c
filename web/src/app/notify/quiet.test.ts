import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isQuiet } from './quiet.ts';

describe('quiet hours', () => {
  const before = process.env.TZ;
  beforeAll(() => {
    process.env.TZ = 'Europe/Berlin';
  });
  afterAll(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  const at = (text: string, from: string, to: string, on = true) => {
    const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
    return isQuiet({ on, from: minutes(from), to: minutes(to) }, Date.parse(text));
  };

  it('begin_with_the_first_minute_and_end_before_the_last', () => {
    const day = (time: string) => at(`2026-05-06T${time}+02:00`, '13:00', '14:30');
    expect(['12:59:59', '13:00:00', '14:29:59', '14:30:00'].map(day)).toEqual([false, true, true, false]);
    expect(at('2026-05-06T13:30:00+02:00', '13:00', '14:30', false)).toBe(false);
  });

  it('go_over_midnight', () => {
    const night = (time: string) => at(`2026-05-06T${time}+02:00`, '22:00', '07:00');
    expect(['21:59:00', '22:00:00', '23:59:00', '00:00:00', '06:59:00', '07:00:00'].map(night)).toEqual([
      ...[false, true, true, true, true, false],
    ]);
  });

  it('are_all_day_where_both_are_the_same', () => {
    expect(at('2026-05-06T03:00:00+02:00', '08:00', '08:00')).toBe(true);
  });

  it('follow_the_clock_on_the_wall_when_it_is_put_forward_and_back', () => {
    // In Berlin it is 02:00 and then 03:00 at once on 29 March, and 02:30 twice on 25 October 2026.
    const spring = (utc: string) => at(`2026-03-29T${utc}Z`, '22:00', '03:30');
    expect(['00:59:59', '01:00:00', '01:29:59', '01:30:00'].map(spring)).toEqual([true, true, true, false]);
    const autumn = (utc: string) => at(`2026-10-25T${utc}Z`, '22:00', '02:30');
    expect(['00:29:00', '00:30:00', '01:29:00', '01:30:00'].map(autumn)).toEqual([true, false, true, false]);
  });
});
