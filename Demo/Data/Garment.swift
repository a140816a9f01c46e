/// A picture of the data set and which of the ten kinds it shows.
struct Garment {
    var picture: Picture
    var kind: Int
}
