// Where a number comes from; the page shows sources that are written down, and computes with none.
export class Source {
  constructor(...given) {
    this.given = given;
  }
}
