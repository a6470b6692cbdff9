// How long a round distance is on a picture of the map.
export interface ScaleBar {
  metres: number;
  // Of the picture's own pixels.
  pixels: number;
  text: string;
}

const STEPS = [5, 2, 1];

export function scaleBar(metresAPixel: number, mostPixels: number): ScaleBar {
  const most = metresAPixel * mostPixels;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = (STEPS.find((step) => step * power <= most) ?? 1) * power;
  const text = metres >= 1000 ? `${metres / 1000} km` : `${Number(metres.toPrecision(1))} m`;
  return { metres, pixels: metres / metresAPixel, text };
}

// Paper of which a map of this shape takes what it can, in millimetres.
export interface Paper {
  width: number;
  height: number;
}
export const PAPERS = { a4: { width: 212, height: 170 }, a3: { width: 322, height: 257 } } as const satisfies Record<string, Paper>;

export function fitted(paper: Paper, aspect: number): Paper {
  const width = Math.min(paper.width, paper.height * aspect);
  return { width, height: width / aspect };
}

// 1 to so many, with two digits that mean something: paper stretches and printers scale.
export function ratioText(metresWide: number, millimetresWide: number): string {
  const exact = (metresWide * 1000) / millimetresWide;
  const rounded = Number(exact.toPrecision(2));
  return `1:${String(rounded).replace(/\B(?=(\d{3})+$)/g, ' ')}`;
}
